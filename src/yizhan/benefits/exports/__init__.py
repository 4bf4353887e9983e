"""Taking money matters home: redemptions by the million, statements, payouts."""
