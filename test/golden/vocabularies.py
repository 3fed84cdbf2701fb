"""Golden token ids from Rust's tokenizers: small vocabularies of every kind of part that a tokenizer.json may have here.

    pip install tokenizers==0.23.3
    python test/golden/vocabularies.py          # writes the folder vocabularies/ beside this file

vocabularies/texts.json    1,000 texts: mathematics, code, blanks of all kinds, digits and letters of many scripts, cut by
                         what the vocabularies add as tokens. Made of the fragments below by a seed; nothing is copied.
vocabularies/KIND.json     a tokenizer.json, its vocabulary trained on these texts
vocabularies/golden.json   by kind: `ids` of the first texts, and `digests`: of each hundred texts the SHA-256 of the JSON
                         of their ids, without and with special tokens
"""

import hashlib
import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent / "vocabularies"
HERE.mkdir(exist_ok=True)
pick = random.Random(14)

WORDS = "the sum of two numbers is ten find x such that f(x) = 3x + 4 solve for y triangle area circle radius".split()
FRAGMENTS = [
    "\\frac{1}{2}", "\\boxed{42}", "$a^2+b^2=c^2$", "x_{n+1}", "\\sqrt{3}", "3.14159", "1,000,000", "2/3", "50%", "1e-5",
    "def f(n):\n    return n*2", "for(i=0;i<10;i++){", "print('hi')", "don't", "it's", "we'll", "I'd", "they've",
    "\n", "\n\n", "\t", "  ", "   ", "\r\n", "\u00a0", "\u3000", "\u2003", "\u200b", "\ufeff", "\u0085", "\u000b",
    "é", "ü", "ñ", "e\u0301", "ﬁ", "Å", "ß", "İ", "Σ", "ς", "½", "²", "³", "Ⅷ", "٣", "५", "１２", "①",
    "你好", "世界", "こんにちは", "안녕", "नमस्ते", "привет", "שלום", "مرحبا", "ไทย", "🍣", "👨‍👩‍👧", "🇩🇪", "𝔸", "𠮷",
    "…", "—", "“q”", "‘s’", "¿", "¡", "€5", "£", "°C", "×", "÷", "≤", "∑", "∞", "_", "__", "▁", "Ġ", "<0x41>",
    "<s>", "</s>", "<unk>", "<|end|>", "<|mark|>", "[ADD]", "Hello", " hello", "HELLO", "a" * 30, "0" * 12, "!!!", "?!", "::",
]  # fmt: skip


def text():
    parts = []
    for _ in range(pick.randint(1, 12)):
        parts.append(pick.choice(FRAGMENTS) if pick.random() < 0.6 else " ".join(pick.choices(WORDS, k=pick.randint(1, 4))))
        parts.append(pick.choice(["", " ", "", "  ", "\n"]))
    return "".join(parts)


TEXTS = ["", " ", "a", "<s>", "<|end|>", " x", "x ", *(text() for _ in range(993))]
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BLANK = "\u2581"


def trained(tokenizer, size=420, alphabet=(), **options):
    """BPE with the parts that the tokenizer has already."""
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, initial_alphabet=list(alphabet), show_progress=False, **options
    )
    # No unknown characters, and nothing that is written like a token: merges with those are refused.
    seen = TEXTS[:400] if alphabet else [text for text in TEXTS if text.isascii() and "<" not in text]
    tokenizer.train_from_iterator(seen, trainer)
    return tokenizer


def byte_level(pre, normalizer=None, post=None, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    trained(tokenizer, alphabet=pre_tokenizers.ByteLevel.alphabet())
    if post is not None:
        tokenizer.post_processor = post
    return tokenizer


def with_bytes(tokenizer, **model):
    """The same vocabulary with a token for each byte: trainers make none."""
    held = json.loads(tokenizer.to_str())
    vocab = held["model"]["vocab"]
    for byte in BYTES:
        vocab.setdefault(byte, len(vocab))
    held["model"] |= dict(byte_fallback=True, unk_token="<unk>") | model
    return Tokenizer.from_str(json.dumps(held))


def sentence_piece(pre, normalizer, **model):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    trained(tokenizer)
    tokenizer = with_bytes(tokenizer, **model)
    if pre is None:
        held = json.loads(tokenizer.to_str()) | {"pre_tokenizer": None}
        tokenizer = Tokenizer.from_str(json.dumps(held))
    else:
        tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer


def unigram(pre, normalizer, fallback):
    tokenizer = Tokenizer(models.Unigram())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator([text for text in TEXTS[:400] if text.isascii()], trainer)
    held = json.loads(tokenizer.to_str())
    vocab = held["model"]["vocab"]
    if fallback:
        known = {token for token, _ in vocab}
        vocab += [[byte, -20.0] for byte in BYTES if byte not in known]
    held["model"]["byte_fallback"] = fallback
    held["pre_tokenizer"] = None if pre is None else json.loads(pre)
    held["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": BLANK}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]}  # fmt: skip
    return Tokenizer.from_str(json.dumps(held))


def metaspace(scheme, split):
    return json.dumps({"type": "Metaspace", "replacement": BLANK, "prepend_scheme": scheme, "split": split})


def template(tokenizer):
    ids = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ids)
    return tokenizer


def llama3():
    pre = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(GPT4), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer = byte_level(pre, ignore_merges=True)
    start = [("<s>", tokenizer.token_to_id("<s>"))]
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=True), processors.TemplateProcessing(single="<s> $A", special_tokens=start)]
    )
    return tokenizer


def added(tokenizer):
    """Tokens that take the blanks beside them, or are looked for in normalised text."""
    tokenizer.add_tokens([AddedToken("[ADD]", normalized=True), AddedToken("Hello", normalized=False)])
    tokenizer.add_special_tokens(
        [AddedToken("<|end|>", rstrip=True, special=True), AddedToken("<|mark|>", lstrip=True, special=True)]
    )
    return tokenizer


def whitespace(pre, **model):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **model))
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.Fuse()
    options = {"end_of_word_suffix": model["end_of_word_suffix"]} if "end_of_word_suffix" in model else {}
    return trained(tokenizer, **options)


def roberta():
    tokenizer = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", ids["</s>"]), ("<s>", ids["<s>"]))
    return tokenizer


S, P = pre_tokenizers.Sequence, pre_tokenizers
plain = P.ByteLevel(add_prefix_space=False)
no_regex = P.ByteLevel(add_prefix_space=False, use_regex=False)
replace = normalizers.Replace(" ", BLANK)

KINDS = {
    "gpt2": lambda: byte_level(plain),
    "gpt2-prefix": lambda: byte_level(P.ByteLevel(add_prefix_space=True)),
    "digits-each": lambda: byte_level(S([P.Digits(individual_digits=True), plain])),
    "digits-runs": lambda: byte_level(S([P.Digits(individual_digits=False), plain])),
    "punctuation": lambda: byte_level(S([P.Punctuation("contiguous"), plain, P.Digits(individual_digits=False)])),
    "llama3": llama3,
    "inverted": lambda: byte_level(S([P.Split(Regex(GPT4), "removed", invert=True), no_regex])),
    "nfc": lambda: byte_level(plain, normalizers.NFC()),
    "nfkd": lambda: byte_level(plain, normalizers.Sequence([normalizers.NFKD(), normalizers.Replace("ß", "ss")])),
    "added": lambda: added(byte_level(plain, normalizers.NFC())),
    "roberta": roberta,
    "whitespace": lambda: whitespace(P.Whitespace()),
    "whitespace-split": lambda: whitespace(P.WhitespaceSplit()),
    "suffix": lambda: whitespace(P.WhitespaceSplit(), end_of_word_suffix="</w>"),
    "llama2": lambda: template(
        sentence_piece(None, normalizers.Sequence([normalizers.Prepend(BLANK), replace]), fuse_unk=True)
    ),
    "llama2-first": lambda: template(sentence_piece(P.Metaspace(prepend_scheme="first", split=False), None, fuse_unk=True)),
    "metaspace": lambda: sentence_piece(P.Metaspace(prepend_scheme="always", split=True), None, fuse_unk=False),
    "unigram": lambda: unigram(None, replace, False),
    "unigram-bytes": lambda: unigram(None, replace, True),
    "unigram-metaspace": lambda: unigram(metaspace("always", True), None, True),
}  # fmt: skip


def digest(value):
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()


def main():
    golden = {}
    for kind, make in KINDS.items():
        tokenizer = make()
        held = json.loads(tokenizer.to_str())
        (HERE / f"{kind}.json").write_text(json.dumps(held, ensure_ascii=False, separators=(",", ":")))
        tokenizer = Tokenizer.from_file(str(HERE / f"{kind}.json"))
        bare = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
        full = [tokenizer.encode(text, add_special_tokens=True).ids for text in TEXTS]
        # Which blanks a token with lstrip or rstrip takes, readers do not agree on: those texts are refused.
        left_out = {i for i, text in enumerate(TEXTS) if kind == "added" and ("\u0085" in text or "\ufeff" in text)}
        hundreds = [[i for i in range(start, start + 100) if i not in left_out] for start in range(0, len(TEXTS), 100)]
        golden[kind] = {
            "ids": [bare[i] for i in range(7, 12) if i not in left_out],
            "digests": [digest([[bare[i] for i in some], [full[i] for i in some]]) for some in hundreds],
        }
    (HERE / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=False))
    (HERE / "golden.json").write_text(json.dumps(golden))


main()
