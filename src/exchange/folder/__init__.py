"""The exchange through a synchronised folder, for sites that nothing can call: OneDrive, an SFTP mount, a network share.

Each site writes two kinds of files, and reads those of the others under names it works out itself; what else lies there is
never opened::

    <site>.card                          who it is, where it is in its run, what it offers; small, replaced as it goes on
    <site>-<epoch>-<sequence>.model      one snapshot, encrypted; never changed under the card that announces it

Whoever keeps the folder can hold files back, and that is all: a card is signed, its body and the snapshots are encrypted for
the sites of the roster, and what has been learnt from is in the ledger.

Reading order: ``shared_file`` (files of a folder that is not ours), ``certificate``, ``site_keys``, ``sealed_model`` (a
snapshot under its key), ``card`` (what a site says), ``card_file`` (how it is signed and sealed), ``seals`` (what the publisher
must remember), ``publication``, ``publisher`` (writes), ``patience``, ``transport`` (reads).
"""
