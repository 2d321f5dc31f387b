#pragma once

#include <map>
#include <string>
#include <utility>

namespace npu::report {

/// The files of one run, held in memory until all of them exist, then put in place together: a run
/// that fails leaves nothing, and a reader never sees a part of a file.
///
/// commit() writes everything into a fresh folder beside the target and then renames: the folder
/// itself where the target does not exist yet, file by file where it does (files of other names
/// stay).
class OutputFiles {
 public:
  /// @param directory  need not exist; its parents are made.
  explicit OutputFiles(std::string directory, std::map<std::string, std::string> files = {})
      : directory_(std::move(directory)), files_(std::move(files)) {}

  /// @param name  a plain file name. A second file of the same name is a bug.
  void add(std::string name, std::string content);

  /// @throws Error `directory: …` if anything cannot be written; what was there before is still
  /// there.
  void commit();

 private:
  std::string directory_;
  std::map<std::string, std::string> files_;
};

}  // namespace npu::report
