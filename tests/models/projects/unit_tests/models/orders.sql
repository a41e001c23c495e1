select 1 as id, 10 as customer, cast(5.5 as {{ dbt.type_float() }}) as amount, cast('2024-01-01' as date) as day, 'it''s' as note, true as paid
