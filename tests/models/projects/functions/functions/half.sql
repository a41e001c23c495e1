select amount / 2
