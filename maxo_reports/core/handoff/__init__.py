"""What goes to the accountant: whole cents, codes, posting sets, columns of targets."""
