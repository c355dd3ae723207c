"""How an incident is answered: severities, who is told, what is written, and what is kept of it."""
