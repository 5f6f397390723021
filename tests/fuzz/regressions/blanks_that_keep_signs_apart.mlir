module attributes {a = #b.c< = [4, ?]>, d = #b.c<x - > y, z>>} {}
