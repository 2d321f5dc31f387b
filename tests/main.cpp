// The one main of every test program. SystemC's library brings a `main` that calls sc_main;
// including <systemc> here and defining main ourselves keeps the linker's archive order from
// choosing.
#include <gtest/gtest.h>

#include <systemc>

extern "C" int sc_main(int argc, char* argv[]) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

int main(int argc, char* argv[]) { return sc_core::sc_elab_and_sim(argc, argv); }
