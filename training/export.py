"""Write the adapter as a GGUF file for llama.cpp: `python -m training.export --folder training/out`."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
from safetensors.numpy import load_file

from loresmith.embedded.model import find_model_file
from training.examples import DATA, KINDS

NAMES: Final = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""Name of a linear layer in transformers → its name in GGUF."""


def export(folder: Path, target: Path) -> None:
    """Write the adapter of a training folder.

    llama.cpp keeps the rows of q and k in another order than transformers, that of its rotary embedding (source: its
    `convert_hf_to_gguf.py`, LlamaModel.permute); so are the rows of their B matrices.
    """
    config = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    tensors: dict[str, Any] = load_file(folder / "adapter" / "adapter_model.safetensors")
    base = find_model_file()
    heads = _heads(base)
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(config["lora_alpha"]))
    writer.add_name("LoreSmith lore adapter")
    writer.add_license("MIT")
    writer.add_string("loresmith.base.sha256", _hash(base))
    writer.add_string("loresmith.data.sha256", data_hash())
    writer.add_string("loresmith.settings", (folder / "settings.json").read_text().strip())
    for name, value in sorted(tensors.items()):
        layer, part, matrix = _parse(name)
        array = np.asarray(value, dtype=np.float32)
        if matrix == "b" and part in ("self_attn.q_proj", "self_attn.k_proj"):
            array = permuted(array, heads["q" if part.endswith("q_proj") else "k"])
        writer.add_tensor(f"blk.{layer}.{NAMES[part]}.weight.lora_{matrix}", array.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def permuted(rows: Any, heads: int) -> Any:
    """Return rows in the order of llama.cpp: the halves of each head interleaved."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def data_hash() -> str:
    """Return the hash of all training data."""
    digest = hashlib.sha256()
    for kind in (*(f"{each}s" for each in KINDS), "stories"):
        digest.update((DATA / f"{kind}.jsonl").read_bytes())
    return digest.hexdigest()


def _parse(name: str) -> tuple[int, str, str]:
    """Return layer, part and matrix of `base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight`."""
    _, _, rest = name.partition(".layers.")
    layer, *part, matrix, _ = rest.split(".")
    return int(layer), ".".join(part), matrix[-1].lower()


def _heads(base: Path) -> dict[str, int]:
    fields = gguf.GGUFReader(base).fields

    def number(name: str) -> int:
        return int(fields[name].contents())

    return {"q": number("llama.attention.head_count"), "k": number("llama.attention.head_count_kv")}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("training/out"))
    parser.add_argument("--to", type=Path, default=Path("src/loresmith/embedded/lore-adapter.gguf"))
    options = parser.parse_args()
    export(options.folder, options.to)
    print(f"{options.to}: {options.to.stat().st_size / 1e6:.1f} MB, sha256 {_hash(options.to)}")


if __name__ == "__main__":
    main()
