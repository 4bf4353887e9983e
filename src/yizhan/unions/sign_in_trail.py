"""Sign-ins and failures go to the audit trail."""
