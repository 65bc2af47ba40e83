# For people with that habit; the logic is in ./run.
.PHONY: run demo test check fix bench lock

run:
	@./run

demo test check fix bench lock:
	@./run $@
