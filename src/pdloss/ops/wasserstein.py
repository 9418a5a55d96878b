"""The Wasserstein cost of samples on a line, by sorting: eq. (2) and (3)."""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from pdloss.ops import sorting

def wasserstein_1d(
    u: Float[Tensor, "*batch n"], v: Float[Tensor, "*batch m"], p: float = 1.0
) -> Float[Tensor, "*batch"]:
    return _Transport.apply(u, v, float(p))


class _Transport(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, v: Tensor, p: float) -> Tensor:
        need_u, need_v, _ = ctx.needs_input_grad
        cost,su,sv=_blocks(u,v,p,need_u,need_v)
        ctx.save_for_backward(su, sv)
        return cost
    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        return None if a is None else g[...,None]*a, None if b is None else g[...,None]*b, None

def _cost_and_slope(d,w,p):
    slope=np.sign(d)
    slope*=w
    if p!=1: slope*= p*abs(d)**(p-1)
    return (slope*d).sum(-1)/p, slope

def _blocks(u,v,p,need_u,need_v):
    n=u.shape[-1]
    bu,bv=sorting.bit_rows(u),sorting.bit_rows(v)
    cost=torch.empty(u.shape[:-1]); c=cost.view(-1).numpy()
    su=torch.empty(u.shape) if need_u else None; sv=torch.empty(u.shape) if need_v else None
    fu=su.view(-1,n).numpy() if need_u else None
    fv=sv.view(-1,n).numpy() if need_v else None
    def block(b,dtype,need):
        x=sorting.float_rows(b,dtype)
        if need:
            i=sorting.order(b)
            return x.take(i,mode="wrap"),i
        x.sort(-1); return x,None
    def work(s):
        us,iu=block(bu[s],u.dtype,need_u); vs,iv=block(bv[s],v.dtype,need_v)
        us-=vs
        c[s],slope=_cost_and_slope(us,np.float32(1/n),p)
        if need_u: fu[s].reshape(-1)[iu]=slope
        if need_v: fv[s].reshape(-1)[iv]=-slope
    sorting.in_blocks(work,*bu.shape)
    return cost,su,sv
