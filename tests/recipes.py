"""Recipes of small batches, from plenty to budgets that bind, for hypothesis to draw."""

from hypothesis import strategies as st

from instances.devices import BudgetScales
from instances.generate import Recipe

scales = st.sampled_from([1.0, 1e-4, 6e-5, 4e-5, 2e-5, 5e-6])
recipes = st.builds(
    Recipe,
    networks=st.sampled_from([("lenet",), ("synthetic2",), ("synthetic3",), ("synthetic4=2",)]),
    fleet=st.sampled_from(["mixed", "power"]),
    devices=st.integers(1, 6),
    tolerated_ssim=st.sampled_from([0.2, 0.4, 0.6, 0.8, 1.0]),
    cameras=st.sampled_from([None, 1]),
    scales=st.builds(BudgetScales, memory=scales, compute=scales, bandwidth=scales),
    seed=st.integers(0, 50),
    unattainable=st.sampled_from(["reject", "source"]),
)
