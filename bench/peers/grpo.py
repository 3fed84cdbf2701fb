"""Peer of a whole GRPO step: TRL's GRPOTrainer, sample, reward and one update.

    python bench/peers/grpo.py --model FOLDER --problems 8 --group 8 --prompt 128 --new 64

A step generates problems x group completions of exactly `new` tokens (min_new_tokens keeps the end token away) in one call,
scores them with a coin flip, and makes one update from micro-batches of `micro` completions. float32, beta 0 (no reference
model), num_iterations 1 (old log-probabilities are the current ones: no extra forward), TRL's default token-mean loss.
--checkpointing turns gradient checkpointing on, TRL's default: less memory, more time. Off here, as the faster setting.

seconds is the last of `steps` steps, from the callback on_step_begin to on_step_end: everything but loading; the first step
of two warms up. Prompts are words of one token each, so that text of the right length survives TRL's tokenizing. Prints one
JSON line, with VmHWM of the process.
"""

import argparse
import random
import tempfile
import time
from importlib.metadata import version

import torch
from datasets import Dataset
from figures import emit, peak_memory_mib, set_threads
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--problems", type=int, default=8)
parser.add_argument("--group", type=int, default=8)
parser.add_argument("--prompt", type=int, default=128)
parser.add_argument("--new", type=int, default=64)
parser.add_argument("--micro", type=int, default=8)
parser.add_argument("--steps", type=int, default=2)
parser.add_argument("--checkpointing", action="store_true")
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()


def prompts_of(tokenizer, count, length):
    """`count` texts of exactly `length` tokens."""
    words = [
        text
        for i in range(len(tokenizer))
        if (text := tokenizer.decode([i])).isascii() and text[:1] == " " and text[1:].isalpha()
    ]
    words = [w for w in words if len(tokenizer.encode(w, add_special_tokens=False)) == 1]
    chance = random.Random(0)
    texts = ["".join(chance.choices(words, k=length)) for _ in range(count)]
    lengths = {len(tokenizer.encode(t)) for t in texts}
    assert lengths == {length}, f"grpo: prompts should have {length} tokens, found {lengths}"
    return texts


class Clock(TrainerCallback):
    def __init__(self):
        self.start, self.steps = 0.0, []

    def on_step_begin(self, *_, **__):
        self.start = time.perf_counter()

    def on_step_end(self, *_, **__):
        self.steps.append(time.perf_counter() - self.start)


def coin(completions, **_):
    return [float(chance.random() < 0.5) for _ in completions]


set_threads(args.threads)
chance = random.Random(1)
rows = args.problems * args.group
assert rows % args.micro == 0, f"grpo: micro {args.micro} does not divide {rows} completions"
tokenizer = AutoTokenizer.from_pretrained(args.model)
model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
data = Dataset.from_dict({"prompt": prompts_of(tokenizer, args.problems * args.steps, args.prompt)})
clock = Clock()
with tempfile.TemporaryDirectory() as folder:
    config = GRPOConfig(
        output_dir=folder,
        per_device_train_batch_size=args.micro,
        gradient_accumulation_steps=rows // args.micro,
        num_generations=args.group,
        max_completion_length=args.new,
        generation_kwargs={"min_new_tokens": args.new},
        max_steps=args.steps,
        learning_rate=1e-6,
        adam_beta2=0.95,
        temperature=1.0,
        beta=0.0,
        num_iterations=1,
        activation_checkpointing=args.checkpointing,
        bf16=False,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = GRPOTrainer(
        model=model, reward_funcs=coin, args=config, train_dataset=data, processing_class=tokenizer, callbacks=[clock]
    )
    trainer.train()
logged = trainer.state.log_history[args.steps - 1]
assert logged["completions/min_length"] == logged["completions/max_length"] == args.new, (
    f"grpo: completions of another length, {logged}"
)
emit(
    peer=f"trl {version('trl')}, transformers {version('transformers')}, torch {torch.__version__}",
    work="grpo",
    model=args.model,
    problems=args.problems,
    group=args.group,
    prompt=args.prompt,
    new=args.new,
    micro=args.micro,
    checkpointing=args.checkpointing,
    threads=args.threads,
    seconds=clock.steps[-1],
    allSeconds=clock.steps,
    peakMemoryMiB=peak_memory_mib(),
)
