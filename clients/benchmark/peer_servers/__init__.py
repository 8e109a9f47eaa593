"""The digits route on other servers, each written as its documents recommend."""
