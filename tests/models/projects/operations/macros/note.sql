{% macro note(what) %}insert into {{ target.schema }}.log_of_runs values ('{{ what }}'){% endmacro %}

{% macro count_notes(at_least=1) %}
    {% set notes = run_query('select count(*) as n from ' ~ target.schema ~ '.log_of_runs') %}
    {% if execute %}
        {% do log('notes: enough' if notes.columns['n'].values()[0] >= at_least else 'notes: too few', info=true) %}
        {% for row in notes.rows %}
            {% do log('columns: ' ~ notes.column_names | join(',') ~ ', rows: ' ~ notes | length, info=true) %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{% macro make_and_drop() %}
    {% set relation = api.Relation.create(database=target.database, schema=target.schema ~ '_other', identifier='made', type='table') %}
    {% do dbt.create_schema(relation) %}
    {% do run_query(dbt.get_create_table_as_sql(false, relation, 'select 1 as a, 2 as b')) %}
    {% do log(adapter.get_columns_in_relation(relation) | map(attribute='name') | join(','), info=true) %}
    {% do dbt.truncate_relation(relation) %}
    {% do dbt.alter_relation_add_remove_columns(relation, [api.Column('c', 'integer')], adapter.get_columns_in_relation(relation)[:1]) %}
    {% do log(adapter.get_columns_in_relation(relation) | map(attribute='name') | join(','), info=true) %}
    {% do dbt.alter_column_type(relation, 'c', 'bigint') %}
    {% do dbt.drop_relation_if_exists(relation) %}
    {% do adapter.drop_schema(relation) %}
{% endmacro %}
