# Runs test modules of this folder, or of that behind --folder, and ends with one line that Scripts/test reads:
# `N passed, M failed, K skipped`. A test counts once, however many of its sub-tests failed.

import faulthandler
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)


class Result(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        took = time.monotonic() - self.began
        if took > 5:
            self.stream.writeln(f"      {took:.1f} s")


def main():
    faulthandler.enable()
    arguments, folder = sys.argv[1:], HERE
    if arguments[:1] == ["--folder"]:
        folder, arguments = os.path.realpath(arguments[1]), arguments[2:]
        sys.path.insert(0, folder)
    names = [name.removesuffix(".py") for name in arguments]
    if not names:
        names = sorted(f[:-3] for f in os.listdir(folder) if f.startswith("test_") and f.endswith(".py"))
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Result).run(suite)
    # A failed sub-test is reported under its test; that test is what failed.
    failed = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
    skipped = {test.id() for test, _ in result.skipped} - failed
    failed_count = len(failed) + len(result.unexpectedSuccesses)
    print(f"{result.testsRun - min(failed_count, result.testsRun) - len(skipped)} passed, {failed_count} failed, {len(skipped)} skipped")
    return 1 if failed_count else 0


if __name__ == "__main__":
    sys.exit(main())
