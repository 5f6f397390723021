// A page of documentation as its test sees it: what tests/docs/extract.cc writes and tests/docs/run.cc checks.
#pragma once

#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "nn/nn.h"
#include "optim/optim.h"
#include "weft/weft.h"

namespace weft::docs {

/// One block that runs.
struct Snippet {
  int line;            ///< of the page
  void (*run)();       ///< null for a program
  const char* throws;  ///< the class of the error, "" for none
  const char* text;    ///< what it prints, or what the error's text contains; null where the page does not say
  int program;         ///< from 1; 0 for a block that is not a program
};

struct Page {
  const char* path;
  std::vector<Snippet> snippets;
  std::vector<std::pair<int, const char*>> links;   ///< line and target of every link to a file
  std::vector<std::pair<int, const char*>> faults;  ///< line and text of every mistake in the page's form
};

}  // namespace weft::docs
