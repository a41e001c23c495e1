select
    cast('a' as {{ dbt.type_string() }}) as a_string,
    cast('2024-01-01' as {{ dbt.type_timestamp() }}) as a_timestamp,
    cast(1.5 as {{ dbt.type_float() }}) as a_float,
    cast(1.5 as {{ dbt.type_numeric() }}) as a_numeric,
    cast(1 as {{ dbt.type_bigint() }}) as a_bigint,
    cast(1 as {{ dbt.type_int() }}) as an_int,
    cast(1 as {{ dbt.type_boolean() }}) as a_boolean,
    cast('b' as {{ api.Column.translate_type('string') }}) as another_string
