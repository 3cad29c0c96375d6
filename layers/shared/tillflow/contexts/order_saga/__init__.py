"""The order saga: drives every order to an end, or undoes it without a trace."""
