"""The three routes, and what is sent to them."""

INITIALIZE = "/dukka/api/initialize-payment/"
HISTORY = "/dukka/api/payments-history/"
PLAIN = {"email": "ada@example.com", "amount": 50.00, "subscription_plan": False, "payment_interval": None}
MONTHLY = {**PLAIN, "subscription_plan": True, "payment_interval": "monthly"}


def stop(number: object) -> str:
    """The address that stops what a row belongs to."""
    return f"/dukka/api/stop-payment/{number}/"
