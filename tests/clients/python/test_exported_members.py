from types import ModuleType

import vitrine_client as package


def test_all_names_are_exported_and_nothing_else():
    public = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }

    assert public == set(package.__all__)
    assert len(package.__all__) == len(public)
