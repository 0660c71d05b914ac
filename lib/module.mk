# lib: what every part links; its unit tests

$(call unit_test,lib_text,,)
$(call unit_test,lib_files,,)
$(call unit_test,lib_disk,,)
