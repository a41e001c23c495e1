select {{ var('low') }} as n, 'a' as kind, cast(1.5 as {{ dbt.type_float() }}) as amount
