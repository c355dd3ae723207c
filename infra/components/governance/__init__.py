"""What watches the money and the account."""
