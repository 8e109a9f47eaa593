"""The digits route on other servers, each written as its documentation recommends."""
