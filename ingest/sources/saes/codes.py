"""Sparse codes of an SAE: encoded tile by tile, so that a dense (tokens, d_sae) matrix of a batch never exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

TILE_BYTES = 64 << 20
"""Most bytes of one dense (tokens, d_sae) float32 tile."""

_DENSE_SHARE = 1 / 16
"""Share of codes that are not zero from which a dense product decodes faster than a sparse sum."""


class SparseCodes(NamedTuple):
    """Codes of a batch that are not zero, token by token."""

    token: torch.Tensor
    """(codes,) int64, ascending: row of the batch."""
    feature: torch.Tensor
    """(codes,) int64: ascending within a token."""
    activation: torch.Tensor
    """(codes,) float32, in units of unit decoder rows; may be negative or no number where the SAE makes it so."""
    scale: torch.Tensor | None = None
    """(tokens, 1): what reconstructions are multiplied by, to undo the normalisation of the input; None for 1."""
    shift: torch.Tensor | None = None
    """(tokens, 1): what is added after that; None for 0."""


@dataclass(frozen=True, slots=True)
class Coder:
    """Encodes and decodes with an SAE of SAELens whose decoder rows have been divided by their norms."""

    module: Any
    """The SAE of SAELens."""
    before: torch.Tensor | None = None
    """(d_sae,): what pre-activations are multiplied by before the top k are chosen; None for 1."""
    after: torch.Tensor | None = None
    """(d_sae,): what activations are multiplied by once they are chosen; None for 1."""
    cut: bool = False
    """Whether a decoder row is zero: then its activations are left out."""
    tile_bytes: int = TILE_BYTES
    """Most bytes of one dense tile."""

    @property
    def tile_tokens(self) -> int:
        """Tokens of a tile, at least 1."""
        return max(1, self.tile_bytes // (4 * self.module.cfg.d_sae))

    def encode(self, x: torch.Tensor) -> SparseCodes:
        """Codes of activations (tokens, d_in); zeros are left out."""
        tiles = [self._tile(tile) for tile in x.split(self.tile_tokens)] or [self._tile(x)]
        if len(tiles) == 1:
            return tiles[0]
        token = torch.cat([tile.token + i * self.tile_tokens for i, tile in enumerate(tiles)])
        scale, shift = (
            None if parts[0] is None else torch.cat([part for part in parts if part is not None])
            for parts in ([tile.scale for tile in tiles], [tile.shift for tile in tiles])
        )
        feature, activation = (
            torch.cat(parts) for parts in zip(*[(t.feature, t.activation) for t in tiles], strict=True)
        )
        return SparseCodes(token, feature, activation, scale, shift)

    def decode(self, codes: SparseCodes, n_tokens: int) -> torch.Tensor:
        """Reconstructions (n_tokens, d_in): the sum of decoder rows, the bias, and the input's normalisation undone."""
        d_sae, rows = self.module.cfg.d_sae, self.module.W_dec
        if len(codes.token) > _DENSE_SHARE * n_tokens * d_sae:
            out = torch.cat([self._dense_sum(codes, begin, n_tokens) for begin in range(0, n_tokens, self.tile_tokens)])
        else:
            begins = torch.searchsorted(codes.token, torch.arange(n_tokens, device=codes.token.device))
            out = torch.nn.functional.embedding_bag(
                codes.feature, rows, begins, mode="sum", per_sample_weights=codes.activation
            )
        out = out + self.module.b_dec
        if codes.scale is not None:
            out = out * codes.scale
        return out if codes.shift is None else out + codes.shift

    def _dense_sum(self, codes: SparseCodes, begin: int, n_tokens: int) -> torch.Tensor:
        """Sum of decoder rows for one tile of tokens, as a product with the dense tile."""
        end = min(begin + self.tile_tokens, n_tokens)
        first, last = torch.searchsorted(codes.token, codes.token.new_tensor([begin, end])).tolist()
        dense = codes.activation.new_zeros(end - begin, self.module.cfg.d_sae)
        dense[codes.token[first:last] - begin, codes.feature[first:last]] = codes.activation[first:last]
        return dense @ self.module.W_dec

    def _tile(self, x: torch.Tensor) -> SparseCodes:
        """Codes of one tile."""
        token, feature, activation = self._top(x) if self.module.cfg.architecture() == "topk" else self._dense(x)
        # SAELens leaves on the module what undoes the normalisation of the batch that it read last.
        left = vars(self.module)
        coefficient, shift, scale = (left.pop(key, None) for key in ("x_norm_coeff", "ln_mu", "ln_std"))
        if self.after is not None:
            activation = activation * self.after.index_select(0, feature)
            if self.cut:
                token, feature, activation = _without_zeros(token, feature, activation)
        return SparseCodes(token, feature, activation, scale if coefficient is None else 1 / coefficient, shift)

    def _top(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Token, feature and activation of a TopK SAE, straight from the k largest pre-activations."""
        pre = self.module.process_sae_in(x) @ self.module.W_enc
        pre += self.module.b_enc
        if self.before is not None:
            pre *= self.before
        values, features = torch.topk(pre, self.module.cfg.k, dim=-1, sorted=False)
        features, order = features.sort(dim=-1)
        values = values.gather(-1, order).relu_()
        token = torch.arange(len(x), device=x.device).repeat_interleave(values.shape[1])
        return _without_zeros(token, features.flatten(), values.flatten())

    def _dense(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Token, feature and activation of any SAE, from the dense tile."""
        codes = self.module.encode(x)
        flat = codes.flatten()
        place = flat.nonzero().squeeze(1)
        token = torch.div(place, codes.shape[1], rounding_mode="floor")
        return token, place - token * codes.shape[1], flat.index_select(0, place)


def _without_zeros(
    token: torch.Tensor, feature: torch.Tensor, activation: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The codes without activations of zero; NaN stays."""
    kept = activation != 0
    return token[kept], feature[kept], activation[kept]


def fold(module: Any) -> tuple[torch.Tensor, Coder]:
    """Divide decoder rows by their norms in place; activations are multiplied by them once they are chosen.

    So which features fire is exactly what the SAE says, for every architecture. Rows that are of unit norm but for
    rounding stay as they are. A row of zeros gives a feature that never fires.

    Args:
        module: An SAE of SAELens.

    Returns:
        Norms of the rows as they came, (d_sae,), and what encodes and decodes.
    """
    with torch.no_grad():
        norms = module.W_dec.norm(dim=-1)
        before = norms if getattr(module.cfg, "rescale_acts_by_decoder_norm", False) else None
        if bool(((norms - 1).abs() < _UNIT).all()):
            return norms, Coder(module, before=before)
        module.W_dec.data.div_(torch.where(norms > 0, norms, 1).unsqueeze(1))
    after = None if before is not None else norms
    return norms, Coder(module, before=before, after=after, cut=bool((norms == 0).any()))


_UNIT = 1e-6
"""What a norm may differ from 1 by the rounding of float32."""
