{% set answer = run_query('select 1 as a, ' ~ dbt.string_literal('x') ~ ' as b union all select 2, ' ~ dbt.string_literal('y') ~ ' order by 1') %}
{% if execute %}
select
    '{{ answer.columns[1].values() | join(',') }}' as b,
    '{{ answer.column_names | join(',') }}' as names,
    '{{ answer.rows[0]['b'] }}{{ answer.rows[1][1] }}' as cells,
    {{ answer | length }} as n,
    '{{ this.schema }}.{{ this.identifier }} {{ this.name }} {{ model.resource_type }} {{ model.name }}' as me,
    '{{ target.type }} {{ project_name }} {{ flags.FULL_REFRESH }} {{ graph.nodes | length > 0 }}' as place,
    '{{ tojson({'b': [1, none, true], 'a': 'é'}) }}' as json,
    '{{ fromjson('{"k": [1.50, 2]}')['k'] }}' as back,
    '{{ local_md5('shaduf') }}' as hashed,
    '{{ toyaml({'a': [1, 2]}) | trim | replace('\n', '|') }}' as yaml,
    '{{ zip([1, 2], ['a', 'b']) | list | length }}' as zipped,
    '{{ set([1, 2, 2]) | list | length }}' as distinct_numbers
{% endif %}
