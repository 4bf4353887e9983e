"""What visits and cases came to, in figures that page, export, API and command line share."""
