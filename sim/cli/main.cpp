// npusim: the only place that prints errors and decides exit codes.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <systemc>

#include "sim/base/error.h"
#include "sim/cli/commands.h"
#include "sim/session/version.h"

namespace npu::cli {
namespace {

/// One line on stderr: file names and messages may hold line ends and control characters.
int report_error(std::string_view message, int exit_code) {
  std::string line = "npusim: error: ";
  for (const char c : message) {
    if (c == '\n') {
      line += "; ";
    } else {
      line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
  line += '\n';
  std::fputs(line.c_str(), stderr);
  return exit_code;
}

int run_command(int argc, char** argv) {
  CLI::App app{
      "npusim: runs quantized networks on a simulated NPU; latency, energy and exact outputs"};
  app.require_subcommand(1);
  app.set_version_flag("--version", session::kVersion);
  Action action;
  add_run(app, action);
  add_describe(app, action);
  add_ops(app, action);
  add_models(app, action);
  add_map(app, action);
  add_compile(app, action);
  add_disasm(app, action);
  add_asm(app, action);
  add_conformance(app, action);
  add_validate(app, action);
  add_explain(app, action);
  add_calibrate(app, action);
  add_generate(app, action);
  add_diff(app, action);
  add_import(app, action);
  add_sweep(app, action);
  add_report(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return app.exit(request);  // --help, --version
  } catch (const CLI::ParseError& error) {
    return report_error(error.what(), kUserError);
  }
  const int code = action();
  if (std::fflush(stdout) != 0) fail("stdout: cannot write");
  return code;
}

int guarded(int argc, char** argv) {
  try {
    return run_command(argc, argv);
  } catch (const Error& error) {
    return report_error(error.what(), kUserError);
  } catch (const RunFault& fault) {
    return report_error(fault.what(), kRunFault);
  } catch (const std::bad_alloc&) {
    return report_error("out of memory", kInternalError);
  } catch (const std::exception& error) {
    // fmt throws where a print fills the buffer of a stdout that cannot take it.
    if (std::ferror(stdout) != 0) return report_error("stdout: cannot write", kUserError);
    return report_error(error.what(), kInternalError);
  } catch (...) {
    return report_error("unknown exception", kInternalError);
  }
}

}  // namespace
}  // namespace npu::cli

extern "C" int sc_main(int argc, char* argv[]) { return npu::cli::guarded(argc, argv); }

int main(int argc, char* argv[]) {
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);
  return sc_core::sc_elab_and_sim(argc, argv);
}
