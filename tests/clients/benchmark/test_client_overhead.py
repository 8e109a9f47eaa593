from clients.benchmark.client_overhead import main


def test_both_faces_are_measured_beside_raw_httpx(served, png_file, capsys):
    arguments = ["--url", served.url, "--rounds", "2", "--calls", "3", "--image", png_file]

    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["plain", "asynchronous"]
    assert all("over 2 rounds" in line for line in lines)


def test_a_service_that_is_not_there_is_an_error(png_file, capsys):
    assert main(["--url", "http://127.0.0.1:9", "--image", png_file]) == 1
    assert "127.0.0.1:9" in capsys.readouterr().err
