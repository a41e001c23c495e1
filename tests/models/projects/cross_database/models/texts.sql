select
    {{ dbt.concat(["'a'", "'b'", "cast(1 as varchar)"]) }} as joined,
    {{ dbt.split_part("'a-b-c'", "'-'", 2) }} as second_part,
    {{ dbt.split_part("'a-b-c'", "'-'", -1) }} as last_part,
    {{ dbt.right("'shaduf'", 3) }} as ending,
    {{ dbt.length("'shaduf'") }} as size,
    {{ dbt.position("'d'", "'shaduf'") }} as place,
    {{ dbt.replace("'aXb'", "'X'", "'-'") }} as replaced,
    {{ dbt.hash("'shaduf'") }} as hashed,
    {{ dbt.string_literal(dbt.escape_single_quotes("it's")) }} as literal,
    {{ dbt.cast_bool_to_text('1 = 1') }} as truth,
    {{ dbt.safe_cast("'7'", dbt.type_int()) }} as seven,
    {{ dbt.cast("'2.50'", dbt.type_numeric()) }} as two_and_a_half
