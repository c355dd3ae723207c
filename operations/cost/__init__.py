"""What the platform costs: the estimate against bands and documents, what-ifs, AWS's price list, and what was paid."""
