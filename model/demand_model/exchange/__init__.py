"""The model in a form that system dynamics tools open: stocks in a chain, as XMILE."""
