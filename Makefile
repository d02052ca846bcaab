# Every target sets up what it needs. Requirements: Python 3.11+, Node 20+, make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
