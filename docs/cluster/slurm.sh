#!/bin/sh
# Submit the tasks, and what comes after them: sh slurm.sh
set -eu
: "${TASKS:=1000}"
export TASKS
here=$(dirname "$0")
augcli prepare cutmix images --top-n 6 --out shared
job=$(sbatch --parsable --array="0-$((TASKS - 1))" "$here/slurm-task.sh")
sbatch --dependency="afterany:$job" --wrap "augcli finish shared"
