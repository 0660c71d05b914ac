# coracle: the small client of the engine and of init
$(call program,coracle,$(sort $(wildcard runtime/cli/*.c)),-lyyjson)
$(call unit_test,cli_verdict,runtime/cli/verdict.c)
$(call unit_test,cli_explain,runtime/cli/explain_judge.c)
