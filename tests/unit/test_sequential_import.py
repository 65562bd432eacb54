"""Models of torch.nn.Sequential: the same scores as PyTorch's own, refusals by name."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memspice.errors import ConfigError, DataError, ShapeError
from memspice.network.ann import ann_scores
from memspice.network.architecture import Conv, Dense, Pool
from memspice.network.rounding import round_network
from memspice.network.weights import Network, load_network, save_network

# PyTorch is an optional extra of several hundred megabytes, which the tests do not ask for.
HAS_TORCH = importlib.util.find_spec("torch") is not None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not HAS_TORCH, reason="needs the optional extra memspice[train]"),
    # Raised inside PyTorch, by its own uses of itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]
if HAS_TORCH:
    import torch
    from torch import nn

    from memspice.importers.torch_sequential import SwitchingProbability, import_sequential

INPUT = (2, 8, 12)
#: Scores of one: a few hundred products of float32, whose rounding is 6e-8 each.
SAME = 1e-6


def switch() -> nn.Module:
    return SwitchingProbability()


def fresh(model: nn.Module, seed: int) -> nn.Module:
    """Random statistics and scales for every normalisation, as training would leave them."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            size = module.running_mean.shape
            module.running_mean.copy_(0.3 * torch.randn(size, generator=generator))
            module.running_var.copy_(0.5 + torch.rand(size, generator=generator))
            if module.weight is not None:
                with torch.no_grad():
                    module.weight.copy_(torch.randn(size, generator=generator))  # also negative
                    module.bias.copy_(torch.randn(size, generator=generator) - 1)
    return model


def convolutional(seed: int, norm: bool, bias: bool) -> nn.Sequential:
    """Convolutions of three kernels, two poolings, two products."""
    torch.manual_seed(seed)
    norms = [nn.BatchNorm2d(4), nn.BatchNorm2d(3), nn.BatchNorm1d(7)] if norm else []
    maybe = [[layer] for layer in norms] or [[], [], []]
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=bias), *maybe[0], switch(),
        nn.AvgPool2d(2),
        nn.Sequential(nn.Conv2d(4, 3, 5, padding="same", bias=bias), *maybe[1]), nn.Dropout(),
        switch(),
        nn.Conv2d(3, 5, 1, bias=bias), switch(),
        nn.AvgPool2d((2, 2), stride=2), nn.Flatten(),
        nn.Linear(5 * 2 * 3, 7, bias=bias), *maybe[2], nn.Identity(), switch(),
        nn.Linear(7, 4, bias=bias),
    )  # fmt: skip
    return fresh(model, seed).eval()


def reference(model: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.double().eval()(torch.from_numpy(images)).numpy()


def pictures(shape: tuple[int, ...] = INPUT, count: int = 6) -> np.ndarray:
    return np.random.default_rng(11).random((count, *shape))


def same_scores(model: nn.Sequential, shape: tuple[int, ...] = INPUT) -> Network:
    images = pictures(shape)
    network = import_sequential(model, shape)
    expected = reference(model, images)
    np.testing.assert_allclose(ann_scores(network, images), expected, rtol=SAME, atol=SAME)
    return network


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scores_are_those_of_pytorch(seed: int, norm: bool, bias: bool) -> None:
    network = same_scores(convolutional(seed, norm, bias))
    assert network.architecture.layers == (
        Conv(4, 3), Pool(2), Conv(3, 5), Conv(5, 1), Pool(2), Dense(7), Dense(4)
    )  # fmt: skip
    assert network.provenance["changes"] == []


def test_folding_is_exact() -> None:
    torch.manual_seed(4)
    model = fresh(nn.Sequential(nn.Flatten(), nn.Linear(192, 9), nn.BatchNorm1d(9)), 4)
    layer = import_sequential(model, INPUT).layers[0]
    images = pictures()
    z = images.reshape(len(images), -1) @ layer.weight.T + layer.bias
    np.testing.assert_allclose(z, reference(model, images), rtol=1e-12)


def test_normalisation_in_front_of_a_product_is_folded() -> None:
    torch.manual_seed(5)
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), switch(), nn.AvgPool2d(2), nn.BatchNorm2d(3), nn.Flatten(),
        nn.BatchNorm1d(72), nn.Linear(72, 5, bias=False),
    )  # fmt: skip
    same_scores(fresh(model, 5))


def test_normalisation_without_scale_of_its_own() -> None:
    torch.manual_seed(6)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 9), nn.BatchNorm1d(9, affine=False))
    same_scores(fresh(model, 6))


def test_kernel_of_the_whole_image_is_a_dense_layer() -> None:
    torch.manual_seed(7)
    model = nn.Sequential(
        nn.BatchNorm2d(2), nn.Conv2d(2, 6, (8, 12)), switch(), nn.Conv2d(6, 4, 1), nn.Flatten()
    )
    network = same_scores(fresh(model, 7))
    assert network.architecture.layers == (Dense(6), Dense(4))


def test_padded_kernel_of_the_whole_image_is_a_convolution() -> None:
    torch.manual_seed(10)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), switch(), nn.Flatten(), nn.Linear(4 * 9, 3)
    )
    assert same_scores(model, (2, 3, 3)).architecture.layers == (Conv(4, 3), Dense(3))


@pytest.mark.parametrize(
    ("shape", "pool", "kinds"),
    [
        ((2, 8, 8), "AdaptiveAvgPool2d(1)", (Conv(4), Pool(8), Dense(3))),
        ((2, 8, 8), "AdaptiveAvgPool2d((1, 1))", (Conv(4), Pool(8), Dense(3))),
        ((2, 8, 8), "AdaptiveAvgPool2d((4, None))", None),
        ((2, 8, 8), "AdaptiveAvgPool2d((2, 2))", (Conv(4), Pool(4), Dense(3))),
        ((2, 8, 8), "AdaptiveAvgPool2d(8)", (Conv(4), Dense(3))),
        ((2, 8, 12), "AdaptiveAvgPool2d((2, 3))", (Conv(4), Pool(4), Dense(3))),
        ((2, 8, 12), "AdaptiveAvgPool2d(1)", (Conv(4), Dense(3))),
        ((2, 8, 12), "AvgPool2d((8, 12))", (Conv(4), Dense(3))),
        ((2, 1, 7), "AdaptiveAvgPool2d(1)", (Conv(4), Dense(3))),
        ((2, 8, 8), "AvgPool2d(8, stride=1)", (Conv(4), Pool(8), Dense(3))),
        ((2, 8, 8), "AdaptiveAvgPool2d(3)", None),
        ((2, 8, 12), "AdaptiveAvgPool2d((8, 3))", None),
    ],
)
def test_pooling_to_a_size(
    shape: tuple[int, int, int], pool: str, kinds: tuple[object, ...] | None
) -> None:
    torch.manual_seed(4)
    front = [nn.Conv2d(2, 4, 3, padding=1), switch(), eval(f"nn.{pool}"), nn.Flatten()]
    inputs = nn.Sequential(*front)(torch.zeros(1, *shape)).shape[1]
    model = nn.Sequential(*front, nn.Linear(inputs, 3))
    if kinds is None:
        with pytest.raises(ConfigError, match=r"module 2 \(Adaptive.*equal blocks|size \("):
            import_sequential(model, shape)
        return
    assert same_scores(model, shape).architecture.layers == kinds


def test_mean_over_an_image_that_is_not_square_goes_into_what_follows() -> None:
    torch.manual_seed(5)
    front = [nn.Conv2d(2, 4, 3, padding=1), switch(), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1)]
    norm = fresh(nn.BatchNorm2d(4), 1)
    point = [nn.Conv2d(4, 5, 1), switch(), nn.Flatten(), nn.Linear(5, 3)]
    network = same_scores(nn.Sequential(*front, norm, *point))
    assert network.architecture.layers == (Conv(4), Pool(2), Dense(5), Dense(3))
    with pytest.raises(ConfigError, match=r"module 4 \(Conv2d\): a kernel of 3 behind the mean"):
        import_sequential(nn.Sequential(*front, nn.Conv2d(4, 5, 3, padding=1)), INPUT)


def test_subclass_of_a_known_module_is_no_unknown_one() -> None:
    class Mine(nn.Linear):
        def forward(self, x: Any) -> Any:
            return 2 * super().forward(x)

    with pytest.raises(ConfigError, match="a subclass of Linear may compute anything"):
        import_sequential(nn.Sequential(nn.Flatten(), Mine(192, 3)), INPUT)


def test_module_used_twice_counts_twice() -> None:
    torch.manual_seed(8)
    act = switch()
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(192, 9), act, nn.Linear(9, 9), act, nn.Linear(9, 2)
    )
    assert len(same_scores(model).layers) == 3


def test_half_precision_weights() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3)).to(torch.bfloat16)
    layer = import_sequential(model, INPUT).layers[0]
    np.testing.assert_array_equal(layer.weight, model[1].weight.detach().double().numpy())


def test_model_stays_as_it_was() -> None:
    model = convolutional(0, True, True).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    import_sequential(model, INPUT)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_network_file_goes_into_the_spiking_loop(tmp_path: Path) -> None:
    network, roundings = round_network(import_sequential(convolutional(1, True, True), INPUT), 128)
    path = tmp_path / "net.h5"
    save_network(network, path, 128)
    back = load_network(str(path))
    assert back.architecture == network.architecture
    images = pictures()
    np.testing.assert_allclose(ann_scores(back, images), ann_scores(network, images), atol=1e-5)
    # Half a step of 1/127 of the bound, uniformly: its root mean square is 0.3 % of the bound.
    assert all(0 < item.error < 0.02 for item in roundings)


# --- other activations ----------------------------------------------------------------------------


def activation_model(activation: nn.Module) -> nn.Sequential:
    torch.manual_seed(9)
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 9), activation, nn.Linear(9, 3))


@pytest.mark.parametrize(("name", "at_half"), [("Sigmoid", 0.0), ("Hardtanh", 0.5)])
def test_other_bounded_activations_are_replaced_on_demand(name: str, at_half: float) -> None:
    activation = nn.Hardtanh(0, 1) if name == "Hardtanh" else nn.Sigmoid()
    model = activation_model(activation)
    with pytest.raises(ConfigError, match=rf"module 2 \({name}\): it is not the activation"):
        import_sequential(model, INPUT)
    network = import_sequential(model, INPUT, neurons="stochastic")
    assert len(network.provenance["changes"]) == 1
    assert f"module 2 ({name}): replaced" in network.provenance["changes"][0]
    # The curves differ by their curvature, 0.9 at most: 2e-6 at 0.002 off; a slope 1 % off: 2e-5.
    x = torch.tensor([at_half - 2e-3, at_half, at_half + 2e-3], dtype=torch.float64)
    weight, raw = network.layers[0].weight, model[1].weight.detach().double().numpy()
    scale = np.mean(weight / raw)
    shift = network.layers[0].bias[0] - scale * model[1].bias[0].item()
    ours = 1 - np.exp(-np.exp(scale * x.numpy() + shift))
    np.testing.assert_allclose(ours, activation(x).numpy(), rtol=0, atol=4e-6)


@pytest.mark.parametrize("activation", ["Sigmoid", "SwitchingProbability"])
def test_activation_behind_the_last_layer(activation: str) -> None:
    last = nn.Sigmoid() if activation == "Sigmoid" else switch()
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), last)
    with pytest.raises(ConfigError, match=rf"module 2 \({activation}\)"):
        import_sequential(model, INPUT)
    network = import_sequential(model, INPUT, neurons="stochastic")
    images = pictures()
    order = reference(model, images).argsort(axis=1)
    np.testing.assert_array_equal(ann_scores(network, images).argsort(axis=1), order)
    assert "left out" in network.provenance["changes"][0]


def test_switching_probability_has_finite_gradients() -> None:
    z = torch.tensor([-200.0, -1.0, 0.0, 3.0, 200.0], requires_grad=True)
    p = SwitchingProbability()(z)
    p.sum().backward()
    np.testing.assert_allclose(p.detach().numpy()[1:3], 1 - np.exp(-np.exp([-1.0, 0.0])), rtol=1e-6)
    assert p[0] == 0
    assert p[4] == 1
    assert torch.isfinite(z.grad).all()


# --- refusals -------------------------------------------------------------------------------------


def conv(**settings: Any) -> nn.Module:
    return nn.Conv2d(2, 4, **{"kernel_size": 3, "padding": 1, **settings})


REFUSALS = {
    r"module 0 \(Conv2d\): stride = \(2, 1\)": lambda: [conv(stride=(2, 1))],
    r"module 0 \(Conv2d\): dilation = \(2, 2\)": lambda: [conv(dilation=2, padding=2)],
    r"module 0 \(Conv2d\): padding = \(0, 1\)": lambda: [conv(padding=(0, 1))],
    r"module 0 \(Conv2d\): a kernel of 3x5": lambda: [conv(kernel_size=(3, 5))],
    r"module 0 \(Conv2d\): padding_mode = 'reflect'": lambda: [conv(padding_mode="reflect")],
    r"module 1 \(Conv2d\): there are no neurons between it and module 0": lambda: [
        conv(), nn.Conv2d(4, 4, 1)
    ],
    r"module 2 \(AdaptiveMaxPool2d\): .*MaxPool2d": lambda: [
        conv(), switch(), nn.AdaptiveMaxPool2d(2)
    ],
    r"module 3 \(MaxPool2d\): a maximum is of spikes": lambda: [
        conv(), switch(), fresh(nn.BatchNorm2d(4), 0), nn.MaxPool2d(2)
    ],
    r"module 0 \(MaxPool2d\): ceil_mode": lambda: [nn.MaxPool2d(2, ceil_mode=True)],
    r"module 1 \(AvgPool2d\): it comes between module 0": lambda: [conv(), nn.AvgPool2d(2)],
    r"module 0 \(AvgPool2d\): size \(3, 3\), stride \(2, 2\)": lambda: [nn.AvgPool2d(3, 2)],
    r"module 0 \(AvgPool2d\): size \(2, 4\)": lambda: [nn.AvgPool2d((2, 4))],
    r"module 0 \(AvgPool2d\): .*padding \(1, 1\)": lambda: [nn.AvgPool2d(2, padding=1)],
    r"module 0 \(AvgPool2d\): images of 8x12 do not divide into blocks of 3x3": lambda: [
        nn.AvgPool2d(3)
    ],
    r"module 0 \(AvgPool2d\): divisor_override = 3": lambda: [
        nn.AvgPool2d(2, divisor_override=3)
    ],
    r"module 1 \(AvgPool2d\): pooling behind flattening": lambda: [nn.Flatten(), nn.AvgPool2d(2)],
    r"module 1 \(Conv2d\): a convolution behind flattening": lambda: [nn.Flatten(), conv()],
    r"module 0 \(Flatten\): flattens the axes 2 to -1": lambda: [nn.Flatten(2)],
    r"module 0 \(Flatten\): flattens the axes 1 to 2": lambda: [nn.Flatten(1, 2)],
    r"module 0 \(Linear\): its input 2x8x12 is not flat; put a Flatten": lambda: [
        nn.Linear(12, 3)
    ],
    r"module 1 \(ReLU\): an activation above 1": lambda: [conv(), nn.ReLU()],
    r"module 1 \(LSTM\): memspice has no such layer": lambda: [nn.Flatten(), nn.LSTM(192, 2)],
    r"module 0 \(SwitchingProbability\): there is no weight layer": lambda: [switch()],
    r"module 1 \(Conv2d\): its input is shifted": lambda: [
        fresh(nn.BatchNorm2d(2), 0), conv()
    ],
    r"module 1 \(BatchNorm2d\): it has no running statistics": lambda: [
        conv(), nn.BatchNorm2d(4, track_running_stats=False)
    ],
    r"module 1 \(SwitchingProbability\): memspice's last layer has no neurons": lambda: [
        conv(), switch()
    ],
    r"module 0 \(Conv2d\): the last layer has scores at 8x12 positions": lambda: [conv()],
    r"module 2 \(Softmax\): .*leave it out": lambda: [
        nn.Flatten(), nn.Linear(192, 3), nn.Softmax(1)
    ],
    r"module 1.0 \(MaxPool2d\)": lambda: [nn.Identity(), nn.Sequential(nn.MaxPool2d(2))],
    r"an empty network: ": lambda: [],
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSALS)
def test_refusal_names_module_reason_and_way_out(message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        import_sequential(nn.Sequential(*REFUSALS[message]()), INPUT)


@pytest.mark.parametrize("shape", [(2, 8, 9), (2, 9, 8)])
def test_pooling_fills_the_image_in_both_directions(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="do not divide into blocks of 2x2"):
        import_sequential(nn.Sequential(nn.AvgPool2d(2)), shape)


def test_wrong_shapes() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(ShapeError, match=r"module 1 \(Linear\): .* does not fit 192 inputs"):
        import_sequential(model, INPUT)
    with pytest.raises(ShapeError, match="neither"):
        import_sequential(model, (8, 8))
    with pytest.raises(ShapeError, match=r"does not fit 1 channels"):
        import_sequential(nn.Sequential(conv()), (1, 8, 12))
    norm = nn.Sequential(nn.Flatten(), nn.Linear(192, 3), nn.BatchNorm1d(4))
    with pytest.raises(ShapeError, match=r"module 2 \(BatchNorm1d\): parameters of shape \(4,\)"):
        import_sequential(norm, INPUT)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weight_that_is_no_number(value: float) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    model[1].weight.data[1, 5] = value
    with pytest.raises(DataError, match=r"module 1 \(Linear\): 1 of 576 numbers in weight"):
        import_sequential(model, INPUT)


def test_complex_weights() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3, dtype=torch.complex64))
    with pytest.raises(DataError, match="weight of type complex64"):
        import_sequential(model, INPUT)


def test_zero_weights() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    nn.init.zeros_(model[1].weight)
    with pytest.raises(ConfigError, match=r"module 1 \(Linear\): all of its weights are zero"):
        import_sequential(model, INPUT)


def test_hooks_and_functions_are_refused() -> None:
    class Doubling(nn.Sequential):
        def forward(self, x: Any) -> Any:
            return 2 * super().forward(x)

    with pytest.raises(ConfigError, match=r"function mul .*torch.cat, torch.flatten and sums"):
        import_sequential(nn.Sequential(Doubling(nn.Flatten()), nn.Linear(192, 3)), INPUT)
    with pytest.raises(ConfigError, match=r"module 0 \(Linear\): its input 2x8x12 is not flat"):
        import_sequential(nn.Linear(2, 3), INPUT)
    hooked = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    hooked[1].register_forward_hook(lambda *_: None)
    with pytest.raises(ConfigError, match=r"module 1 \(Linear\): hooks"):
        import_sequential(hooked, INPUT)
