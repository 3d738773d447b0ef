"""What a call costs, beside others, in one run: `make bench`. Says nothing about another run."""
