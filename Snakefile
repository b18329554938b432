# For `snakemake` in a clone, which looks for this file; workflow/Snakefile has the rules. What
# is included brings no default target, hence the rule.
include: "workflow/Snakefile"


rule default:
    default_target: True
    input:
        rules.all.input,
