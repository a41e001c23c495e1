{% macro make_sources() %}
    {% do adapter.create_schema(api.Relation.create(database=target.database, schema=target.schema)) %}
    {% for name, ago in [('fresh', '1 minute'), ('old', '2 hour')] %}
        {% call statement('make_' ~ name) %}
            drop table if exists {{ target.schema }}.{{ name }};
            create table {{ target.schema }}.{{ name }} as
            select 1 as id, now() - interval '{{ ago }}' as loaded_at
        {% endcall %}
    {% endfor %}
    {% do adapter.commit() %}
{% endmacro %}
