import pytest

from src.environment import check_numpy, check_python
from src.errors import OarError


def test_what_is_installed_here_passes():
    check_python()
    check_numpy()


@pytest.mark.parametrize("found", ["2.4.0", "2.4.0rc1", "2.10.1", "3.0.0"])
def test_numpy_that_hangs_openfl_is_refused_with_the_remedy(found):
    with pytest.raises(OarError, match=f"found {found}.*numpy<2.4"):
        check_numpy(found)


@pytest.mark.parametrize("found", ["1.26.4", "2.3.5"])
def test_older_numpy_passes(found):
    check_numpy(found)


@pytest.mark.parametrize("found", [(3, 9), (3, 13)])
def test_other_pythons_are_refused(found):
    with pytest.raises(OarError, match=f"found {found[0]}.{found[1]}"):
        check_python(found)
