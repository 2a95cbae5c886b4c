#!/bin/sh
# Submit only the tasks whose shards are missing: sh slurm-again.sh
set -eu
: "${TASKS:=1000}"
export TASKS
here=$(dirname "$0")
missing=$(augcli status shared --resubmit)
if [ -n "$missing" ]; then
    job=$(sbatch --parsable --array="$missing" "$here/slurm-task.sh")
    sbatch --dependency="afterany:$job" --wrap "augcli finish shared"
fi
