select
    '{{ tools.label('x') }}' as label,
    '{{ tools.overridden() }}' as overridden,
    {{ dbt.right("'abc'", 2) }} as ending,
    (select count(*) from {{ ref('tools', 'from_package') }}) as n,
    (select count(*) from {{ ref('codes') }}) as codes
