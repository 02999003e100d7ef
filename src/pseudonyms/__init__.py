"""Who a patient is, kept apart from everything that leaves: a secret key, names made with it, and private listings.

``pseudonym`` names patients and writes the listings, ``private_files`` keeps them to their owner, ``folders`` keeps what is
read, what is written and the key in folders of their own.
"""
