module attributes {k = #a.b< = [4, ?]>, l = affine_set<(d0) : (d0 >= 0, d0 - 1 == 0)>} {}
