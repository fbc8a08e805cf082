"""How many replicas a service needs: values of load in, a decision with its reasons out. Asks no clock and no cluster."""
