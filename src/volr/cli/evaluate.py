"""``evaluate``: a model's accuracy on test data."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict

from volr.cli import completion, options
from volr.cli.executors import Dask
from volr.cli.input_files import data_for, read_model
from volr.cli.operations import operations_json
from volr.cli.options import option, with_options
from volr.cli.output import note, print_json, print_parts
from volr.cli.progress import progress_bar


@with_options
def evaluate(
    model: options.Model,
    task: options.Task,
    on: str | None = options.on(
        None,
        "torch, futhark, onnx or reference for an ANN; engine, nest, brian2, pynn.nest, "
        "pynn.brian2 or pynn.neuron for an SNN.",
        (*completion.ARTIFICIAL, *completion.SPIKING),
        unless="torch, or engine",
    ),
    device: options.Device = "cpu",
    data: options.DataFolder = None,
    samples: int | None = options.samples(None, unless="all"),
    seed: int | None = options.seed(None, "input spikes.", unless="the model's own"),
    operations: bool = option(
        default=False,
        help="Count spikes and operations too, and estimate energy.",
        flags="--operations",
    ),
    dask: Dask = None,
    as_json: options.Json = False,
) -> None:
    """Measure a model's accuracy on a task's test data."""
    from volr.backends import backend, default_backend, simulator
    from volr.backends.refusals import check_supported, require
    from volr.engine.devices import device_name, device_of
    from volr.errors import BackendError
    from volr.experiments.costs.display import operations_parts
    from volr.experiments.costs.measure import operations as count
    from volr.experiments.evaluation import data_seed, evaluation_table
    from volr.experiments.evaluation import evaluate as measure
    from volr.experiments.run_progress import of_simulation
    from volr.experiments.tasks import task as find_task

    chosen = find_task(task)
    asked = None if on is None else backend(on)
    loaded = read_model(model)
    runner = asked or default_backend(loaded.model)
    require(runner)
    check_supported(runner, loaded.model)
    found_device = device_of(device)
    if device != "cpu" and runner.name != "engine":
        raise BackendError(
            f"{runner.name} runs on the processor alone, and not on {device}",
            help="leave out --device, or run a spiking model on the engine: --on engine",
        )
    runs = nullcontext()
    if device != "cpu" or dask is not None:
        runs = simulator(runner.name, device=found_device, dask=dask)
    network = loaded.model.network
    chosen = data_for(chosen, network, loaded.origin, data)
    split = data_seed(loaded.origin, task, seed)
    with runs as running, progress_bar() as progress:
        progress(f"loading {task}", 0, None)
        whole = chosen.load(seed=split, inputs=network.input_size, data_dir=data)
        test = whole.test if samples is None else whole.test.first(samples)
        told = of_simulation(progress, len(test))
        drawn = split if seed is None else seed
        on_it = running or runner
        if operations:
            costs = count(loaded.model, test, on_it, seed=drawn, progress=told)
            found = costs.evaluation
        else:
            costs = None
            found = measure(loaded.model, test, on_it, seed=drawn, progress=told)
    if device != "cpu":
        note(f"run on {device_name(found_device)}")
    if as_json:
        numbers = {"accuracy": found.accuracy, "chance": whole.chance, **asdict(found)}
        counted = {} if costs is None else {"operations": operations_json(costs)}
        print_json({"task": task, "seed": split, **numbers, **counted})
    else:
        table = evaluation_table(found, task=task, seed=f"{split}", chance=f"{whole.chance:.3f}")
        print_parts((table, *(() if costs is None else operations_parts(costs))))
