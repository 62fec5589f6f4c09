"""Self-supervised training of the networks, as the paper does it, on clips whose every layer is known."""
