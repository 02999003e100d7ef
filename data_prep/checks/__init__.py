"""What ``data_prep check`` looks for, one group a file; each yields findings and writes nothing."""
