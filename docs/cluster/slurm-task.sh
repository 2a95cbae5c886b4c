#!/bin/sh
# One task of a Slurm array: it makes its share of the outputs.
#SBATCH --job-name=mixed
#SBATCH --cpus-per-task=4
#SBATCH --time=2:00:00
# Slurm's arrays have at most 1,000 tasks by default. A share is as many shards as it takes.
augcli cutmix images --top-n 6 --out shared --shard "$SLURM_ARRAY_TASK_ID/${TASKS:-1000}"
