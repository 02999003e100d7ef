"""All checks, in the order in which they are shown."""

from src.doctor.addresses import check_addresses
from src.doctor.aggregator import check_aggregator
from src.doctor.certificate import check_authority, check_certificate, check_expiry, check_private_key
from src.doctor.clock import check_clock
from src.doctor.dataset import check_contours, check_dataset
from src.doctor.disk import check_disk
from src.doctor.federation_structures import check_federation_structures
from src.doctor.file_handles import check_file_handles
from src.doctor.gpu import check_gpu
from src.doctor.memory import check_memory
from src.doctor.network_model import check_first_weights, check_network
from src.doctor.noise import check_noise
from src.doctor.own_port import check_own_port
from src.doctor.packages import check_interpreter, check_packages
from src.doctor.peers import check_peers
from src.doctor.plan_file import check_plan_file, check_site_name
from src.doctor.reachable import check_reachability
from src.doctor.run import Check
from src.doctor.shared_folder import check_shared_folder
from src.doctor.shared_memory import check_shared_memory
from src.doctor.state_folder import check_state_folder

CHECKS: tuple[Check, ...] = (
    ("python", check_interpreter),
    ("packages", check_packages),
    ("plan", check_plan_file),
    ("site name", check_site_name),
    ("certificate", check_certificate),
    ("authority", check_authority),
    ("expiry", check_expiry),
    ("private key", check_private_key),
    ("network", check_network),
    ("first weights", check_first_weights),
    ("state folder", check_state_folder),
    ("own port", check_own_port),
    ("addresses", check_addresses),
    ("reachability", check_reachability),
    ("shared folder", check_shared_folder),
    ("noise", check_noise),
    ("peers", check_peers),
    ("aggregator", check_aggregator),
    ("clock", check_clock),
    ("dataset", check_dataset),
    ("contours", check_contours),
    ("structures", check_federation_structures),
    ("disk", check_disk),
    ("memory", check_memory),
    ("GPU", check_gpu),
    ("shared memory", check_shared_memory),
    ("file handles", check_file_handles),
)
