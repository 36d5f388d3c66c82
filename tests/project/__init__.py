"""Tests of how the modules of a project are found."""
